SELECT "t"."id", "j1"."id", "j1"."name", "j2"."id", "j2"."name__given", "j2"."name__family", "j2"."name__middle", "j2"."name__prefix", "j2"."name__suffix", "p"."s0"
FROM (SELECT "t"."id" AS "id", "t"."amount__base" AS "s0"
  FROM "e_deal" AS "t"
  WHERE "t"."deleted_at" IS NULL
  ORDER BY "t"."amount__base" DESC NULLS LAST, "t"."id" DESC LIMIT 51) AS "p"
JOIN "e_deal" AS "t" ON "t"."id" = "p"."id"
LEFT JOIN "e_account" AS "j1" ON "j1"."id" = "t"."origin__account" AND "j1"."deleted_at" IS NULL
LEFT JOIN "e_contact" AS "j2" ON "j2"."id" = "t"."origin__contact" AND "j2"."deleted_at" IS NULL
ORDER BY "p"."s0" DESC NULLS LAST, "p"."id" DESC;

