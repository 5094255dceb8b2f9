SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."id" DESC
LIMIT 51;

SELECT "p"."owner", "t"."id", "j1"."id", "j1"."name", "t"."total"
FROM (SELECT "t"."id" AS "id", "t"."deal" AS "owner", row_number() OVER (PARTITION BY "t"."deal" ORDER BY "t"."pos" ASC NULLS LAST, "t"."id" ASC) AS "rank"
  FROM "e_line" AS "t"
  WHERE "t"."deal" IN ($1, $2, $3, $4) AND "t"."deleted_at" IS NULL) AS "p"
JOIN "e_line" AS "t" ON "t"."id" = "p"."id"
LEFT JOIN "e_product" AS "j1" ON "j1"."id" = "t"."product" AND "j1"."deleted_at" IS NULL
WHERE "p"."rank" <= 20
ORDER BY "p"."owner", "p"."rank";
-- Int Int(101)
-- Int Int(102)
-- Int Int(103)
-- Int Int(103)

