SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND "t"."id" IN (SELECT rowid FROM sys_search WHERE sys_search MATCH ?)
ORDER BY "t"."id" DESC
LIMIT 51;
-- Text Text("(\"acme\" * OR \"pacme\" *) AND \"华为\"")

