SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND (instr("t"."name_k", ?) > 0)
ORDER BY "t"."id" DESC
LIMIT 51;
-- Text Text("acme")

