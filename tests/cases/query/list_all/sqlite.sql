SELECT "t"."id"
FROM "e_deal" AS "t"
ORDER BY "t"."id" DESC
LIMIT 51;

