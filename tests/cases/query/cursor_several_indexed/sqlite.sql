SELECT "t"."id", "p"."s0", "p"."s1"
FROM (SELECT * FROM (SELECT "t"."id" AS "id", "t"."score" AS "s0", "t"."name" AS "s1", 0 AS "seg"
    FROM "e_deal" AS "t"
    WHERE "t"."deleted_at" IS NULL AND "t"."stage" = ? AND "t"."score" IS NOT NULL AND "t"."score" <= ? AND ("t"."score" < ? OR (("t"."name" > ? OR "t"."name" IS NULL) OR "t"."name" = ? AND "t"."id" > ?))
    ORDER BY "t"."score" DESC, "t"."name" ASC NULLS LAST, "t"."id" ASC LIMIT 51) AS "v"
  UNION ALL
  SELECT * FROM (SELECT "t"."id" AS "id", "t"."score" AS "s0", "t"."name" AS "s1", 1 AS "seg"
    FROM "e_deal" AS "t"
    WHERE "t"."deleted_at" IS NULL AND "t"."stage" = ? AND "t"."score" IS NULL
    ORDER BY "t"."name" ASC NULLS LAST, "t"."id" ASC LIMIT 51) AS "n"
  ORDER BY "seg" ASC, "s0" DESC NULLS LAST, "s1" ASC NULLS LAST, "id" ASC LIMIT 51) AS "p"
JOIN "e_deal" AS "t" ON "t"."id" = "p"."id"
ORDER BY "p"."seg" ASC, "p"."s0" DESC NULLS LAST, "p"."s1" ASC NULLS LAST, "p"."id" ASC;
-- Text Text("won")
-- Int Int(3)
-- Int Int(3)
-- Text Text("x")
-- Text Text("x")
-- Int Int(77)
-- Text Text("won")

