SELECT "t"."id", "p"."s0", "p"."s1"
FROM (SELECT "t"."id" AS "id", "s1"."name" AS "s0", "t"."number" AS "s1"
  FROM "e_deal" AS "t" LEFT JOIN "e_account" AS "s1" ON "s1"."id" = "t"."account" AND "s1"."deleted_at" IS NULL
  WHERE "t"."deleted_at" IS NULL
  ORDER BY "s1"."name" ASC NULLS LAST, "t"."number" DESC NULLS LAST, "t"."id" DESC LIMIT 51) AS "p"
JOIN "e_deal" AS "t" ON "t"."id" = "p"."id"
ORDER BY "p"."s0" ASC NULLS LAST, "p"."s1" DESC NULLS LAST, "p"."id" DESC;

