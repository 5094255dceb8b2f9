SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND (SELECT "t_1"."industry" FROM "e_account" AS "t_1" WHERE "t_1"."id" = "t"."account" AND "t_1"."deleted_at" IS NULL) = ?
ORDER BY "t"."id" DESC
LIMIT 51;
-- Text Text("software")

