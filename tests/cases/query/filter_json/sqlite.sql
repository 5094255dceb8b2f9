SELECT "t"."id", "t"."name", "t"."score"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND ("t"."stage" = ? AND "t"."score" >= ?)
ORDER BY "t"."score" DESC NULLS LAST, "t"."name" ASC NULLS LAST, "t"."id" ASC
LIMIT 6;
-- Text Text("won")
-- Int Int(3)

