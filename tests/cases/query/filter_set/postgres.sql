SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND EXISTS (SELECT 1 FROM "j_deal_segments" AS "t_1" WHERE "t_1"."rec" = "t"."id" AND "t_1"."opt" IN ($1, $2))
ORDER BY "t"."id" DESC
LIMIT 51;
-- Text Text("smb")
-- Text Text("mid")

