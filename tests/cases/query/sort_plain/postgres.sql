SELECT "t"."id", "p"."s0"
FROM (SELECT "t"."id" AS "id", "t"."amount__base" AS "s0"
  FROM "e_deal" AS "t"
  WHERE "t"."deleted_at" IS NULL
  ORDER BY "t"."amount__base" DESC NULLS LAST, "t"."id" DESC LIMIT 51) AS "p"
JOIN "e_deal" AS "t" ON "t"."id" = "p"."id"
ORDER BY "p"."s0" DESC NULLS LAST, "p"."id" DESC;

