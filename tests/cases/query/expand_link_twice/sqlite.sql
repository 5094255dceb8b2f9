SELECT "t"."id", "j1"."id", "j1"."name", "j2"."id", "j2"."name", "j3"."id", "j3"."name"
FROM "e_deal" AS "t"
LEFT JOIN "e_account" AS "j1" ON "j1"."id" = "t"."account" AND "j1"."deleted_at" IS NULL
LEFT JOIN "e_account" AS "j2" ON "j2"."id" = "j1"."parent" AND "j2"."deleted_at" IS NULL
LEFT JOIN "e_user" AS "j3" ON "j3"."id" = "j2"."owner" AND "j3"."deleted_at" IS NULL
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."id" DESC
LIMIT 51;

