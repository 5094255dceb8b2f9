SELECT "t"."id", "p"."s0"
FROM (SELECT "t"."id" AS "id", "t"."name__family" AS "s0"
  FROM "e_contact" AS "t"
  WHERE "t"."deleted_at" IS NULL
  ORDER BY "t"."name__family" ASC NULLS LAST, "t"."id" ASC LIMIT 51) AS "p"
JOIN "e_contact" AS "t" ON "t"."id" = "p"."id"
ORDER BY "p"."s0" ASC NULLS LAST, "p"."id" ASC;

