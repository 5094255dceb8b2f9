SELECT "t"."id", "j1"."id", "j1"."name", "t"."close_on"
FROM "e_deal" AS "t"
LEFT JOIN "e_account" AS "j1" ON "j1"."id" = "t"."account" AND "j1"."deleted_at" IS NULL
WHERE "t"."deleted_at" IS NULL AND "t"."stage" = ?
ORDER BY "t"."close_on" ASC NULLS LAST, "t"."id" ASC
LIMIT 26 OFFSET ?;
-- Text Text("new")
-- Int Int(25)

SELECT count(*)
FROM (SELECT 1 FROM "e_deal" AS "t" WHERE "t"."deleted_at" IS NULL AND "t"."stage" = ? LIMIT 10001) AS "c";
-- Text Text("new")

