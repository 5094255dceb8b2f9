SELECT "t"."id", "t"."stage", "t"."amount__base", "t"."name"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."stage" ASC NULLS LAST, "t"."amount__base" DESC NULLS LAST, "t"."name" ASC NULLS LAST, "t"."id" ASC
LIMIT 51;

