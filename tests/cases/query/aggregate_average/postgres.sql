SELECT "t"."product", rl_mean(sum("t"."total"), count("t"."total"), 5), rl_int(coalesce(sum("t"."total"), 0))
FROM "e_line" AS "t"
WHERE "t"."deleted_at" IS NULL
GROUP BY 1
ORDER BY 2 DESC NULLS LAST, 1 ASC NULLS LAST
LIMIT 1001;

