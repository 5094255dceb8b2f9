SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND "t"."id" IN (SELECT id FROM sys_search WHERE tokens @@ $1::text::tsquery)
ORDER BY "t"."id" DESC
LIMIT 51;
-- Text Text("('acme':* | 'pacme':*) & '华为'")

