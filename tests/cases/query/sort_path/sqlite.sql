SELECT "t"."id", "p"."s0"
FROM (SELECT "t"."id" AS "id", (SELECT "t_1"."industry" FROM "e_account" AS "t_1" WHERE "t_1"."id" = "t"."account" AND "t_1"."deleted_at" IS NULL) AS "s0"
  FROM "e_deal" AS "t"
  WHERE "t"."deleted_at" IS NULL
  ORDER BY (SELECT "t_1"."industry" FROM "e_account" AS "t_1" WHERE "t_1"."id" = "t"."account" AND "t_1"."deleted_at" IS NULL) DESC NULLS LAST, "t"."id" DESC LIMIT 51) AS "p"
JOIN "e_deal" AS "t" ON "t"."id" = "p"."id"
ORDER BY "p"."s0" DESC NULLS LAST, "p"."id" DESC;

