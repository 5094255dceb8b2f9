SELECT "t"."id", "p"."s0"
FROM (SELECT "t"."id" AS "id", "t"."home__city" AS "s0"
  FROM "e_account" AS "t"
  WHERE "t"."deleted_at" IS NULL
  ORDER BY "t"."home__city" ASC NULLS LAST, "t"."id" ASC LIMIT 51) AS "p"
JOIN "e_account" AS "t" ON "t"."id" = "p"."id"
ORDER BY "p"."s0" ASC NULLS LAST, "p"."id" ASC;

