SELECT rl_start_of(rl_local_date("t"."created_at", ?), 'week'), count(DISTINCT "t"."account")
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
GROUP BY 1
ORDER BY 1 DESC NULLS LAST
LIMIT 1001;
-- Text Text("Europe/Berlin")

