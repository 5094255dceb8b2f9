SELECT "t"."id", "t"."close_on"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND "t"."stage" = ? AND "t"."id" IN (SELECT rowid FROM sys_search WHERE sys_search MATCH ?)
ORDER BY "t"."close_on" DESC NULLS LAST, "t"."id" DESC
LIMIT 51;
-- Text Text("won")
-- Text Text("(\"ac\" * OR \"pac\" *)")

