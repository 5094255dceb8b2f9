SELECT "t"."industry", count(*), rl_sum("t"."revenue")
FROM "e_account" AS "t"
WHERE "t"."id" IN (SELECT rowid FROM sys_search WHERE sys_search MATCH ?)
GROUP BY 1
ORDER BY 1 ASC NULLS LAST
LIMIT 1001;
-- Text Text("(\"acme\" * OR \"pacme\" *)")

