SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND (strpos("t"."name_k", $1) > 0)
ORDER BY "t"."id" DESC
LIMIT 51;
-- Text Text("acme")

