SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND ("t"."stage" = ? OR ("t"."score" > ? AND (NOT (("t"."is_hot") IS TRUE))))
ORDER BY "t"."id" DESC
LIMIT 51;
-- Text Text("won")
-- Int Int(3)

