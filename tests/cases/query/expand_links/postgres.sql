SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."id" DESC
LIMIT 51;

SELECT "p"."owner", "t"."id", "t"."name", "j"."quantity"
FROM (SELECT "j"."id" AS "id", "j"."deal" AS "owner", row_number() OVER (PARTITION BY "j"."deal" ORDER BY "t"."name" ASC NULLS LAST, "j"."id" ASC) AS "rank"
  FROM "e_deal_product" AS "j" JOIN "e_product" AS "t" ON "t"."id" = "j"."product"
  WHERE "j"."deal" IN ($1, $2, $3, $4) AND "t"."deleted_at" IS NULL AND "j"."deleted_at" IS NULL) AS "p"
JOIN "e_deal_product" AS "j" ON "j"."id" = "p"."id" JOIN "e_product" AS "t" ON "t"."id" = "j"."product"
WHERE "p"."rank" <= 50
ORDER BY "p"."owner", "p"."rank";
-- Int Int(101)
-- Int Int(102)
-- Int Int(103)
-- Int Int(103)

