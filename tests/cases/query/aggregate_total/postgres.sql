SELECT count(*), CASE WHEN count("t"."amount") = count("t"."amount__base") THEN rl_int(coalesce(sum("t"."amount__base"), 0)) END
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
LIMIT 1001;

