SELECT "t"."id", "p"."s0", "p"."s1"
FROM (SELECT "t"."id" AS "id", "t"."amount__base" AS "s0", "t"."name" AS "s1"
  FROM "e_deal" AS "t"
  WHERE "t"."deleted_at" IS NULL AND (("t"."amount__base" < ? OR "t"."amount__base" IS NULL) OR "t"."amount__base" = ? AND (("t"."name" > ? OR "t"."name" IS NULL) OR "t"."name" = ? AND "t"."id" > ?))
  ORDER BY "t"."amount__base" DESC NULLS LAST, "t"."name" ASC NULLS LAST, "t"."id" ASC LIMIT 51) AS "p"
JOIN "e_deal" AS "t" ON "t"."id" = "p"."id"
ORDER BY "p"."s0" DESC NULLS LAST, "p"."s1" ASC NULLS LAST, "p"."id" ASC;
-- Int Int(500)
-- Int Int(500)
-- Text Text("x")
-- Text Text("x")
-- Int Int(77)

