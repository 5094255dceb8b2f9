SELECT "t"."industry", count(*), rl_int(coalesce(sum("t"."revenue"), 0))
FROM "e_account" AS "t"
WHERE "t"."id" IN (SELECT id FROM sys_search WHERE tokens @@ $1::text::tsquery)
GROUP BY 1
ORDER BY 1 ASC NULLS LAST
LIMIT 1001;
-- Text Text("('acme':* | 'pacme':*)")

