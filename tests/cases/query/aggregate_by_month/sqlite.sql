SELECT rl_start_of("t"."close_on", 'month'), (SELECT "t_1"."industry" FROM "e_account" AS "t_1" WHERE "t_1"."id" = "t"."account" AND "t_1"."deleted_at" IS NULL), count(*), min("t"."close_on"), max("t"."score")
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
GROUP BY 1, 2
ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST
LIMIT 1001;

