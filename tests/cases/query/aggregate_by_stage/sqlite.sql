SELECT "t"."stage", count(*), CASE WHEN count("t"."amount") = count("t"."amount__base") THEN rl_sum("t"."amount__base") END, CASE WHEN count("t"."amount") = count("t"."amount__base") THEN rl_mean("t"."amount__base", 7) END
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND "t"."amount__base" > ?
GROUP BY 1
HAVING (count(*)) > ? AND (CASE WHEN count("t"."amount") = count("t"."amount__base") THEN rl_sum("t"."amount__base") END) >= ? AND (CASE WHEN count("t"."amount") = count("t"."amount__base") THEN rl_mean("t"."amount__base", 7) END) < ?
ORDER BY 3 DESC NULLS LAST, 1 ASC NULLS LAST
LIMIT 11;
-- Int Int(0)
-- Int Int(2)
-- Int Int(1001)
-- Int Int(3500000000)

