SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."id" DESC
LIMIT 51;

SELECT "p"."owner", "t"."id"
FROM (SELECT "t"."id" AS "id", "t"."deal" AS "owner", row_number() OVER (PARTITION BY "t"."deal" ORDER BY "t"."total" DESC NULLS LAST, "t"."id" DESC) AS "rank"
  FROM "e_line" AS "t"
  WHERE "t"."deal" IN (?, ?, ?, ?) AND "t"."deleted_at" IS NULL AND ("t"."qty" > ? AND (SELECT "t_1"."name" FROM "e_product" AS "t_1" WHERE "t_1"."id" = "t"."product" AND "t_1"."deleted_at" IS NULL) = ?)) AS "p"
JOIN "e_line" AS "t" ON "t"."id" = "p"."id"
WHERE "p"."rank" <= 50
ORDER BY "p"."owner", "p"."rank";
-- Int Int(101)
-- Int Int(102)
-- Int Int(103)
-- Int Int(103)
-- Int Int(1000)
-- Text Text("a;b)")

