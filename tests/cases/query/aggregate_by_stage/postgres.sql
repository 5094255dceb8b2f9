SELECT "t"."stage", count(*), CASE WHEN count("t"."amount") = count("t"."amount__base") THEN rl_int(coalesce(sum("t"."amount__base"), 0)) END, CASE WHEN count("t"."amount") = count("t"."amount__base") THEN rl_mean(sum("t"."amount__base"), count("t"."amount__base"), 7) END
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND "t"."amount__base" > $1
GROUP BY 1
HAVING (count(*)) > $2 AND (CASE WHEN count("t"."amount") = count("t"."amount__base") THEN rl_int(coalesce(sum("t"."amount__base"), 0)) END) >= $3 AND (CASE WHEN count("t"."amount") = count("t"."amount__base") THEN rl_mean(sum("t"."amount__base"), count("t"."amount__base"), 7) END) < $4
ORDER BY 3 DESC NULLS LAST, 1 ASC NULLS LAST
LIMIT 11;
-- Int Int(0)
-- Int Int(2)
-- Int Int(1001)
-- Int Int(3500000000)

