SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."id" DESC
LIMIT 11;

SELECT count(*)
FROM (SELECT 1 FROM "e_deal" AS "t" WHERE "t"."deleted_at" IS NULL LIMIT 10001) AS "c";

