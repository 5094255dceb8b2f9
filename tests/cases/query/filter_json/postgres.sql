SELECT "t"."id", "t"."name", "p"."s0", "p"."s1"
FROM (SELECT * FROM (SELECT "t"."id" AS "id", "t"."score" AS "s0", "t"."name" AS "s1", 0 AS "seg"
    FROM "e_deal" AS "t"
    WHERE "t"."deleted_at" IS NULL AND ("t"."stage" = $1 AND "t"."score" >= $2) AND "t"."score" IS NOT NULL
    ORDER BY "t"."score" DESC, "t"."name" ASC NULLS LAST, "t"."id" ASC LIMIT 6) AS "v"
  UNION ALL
  SELECT * FROM (SELECT "t"."id" AS "id", "t"."score" AS "s0", "t"."name" AS "s1", 1 AS "seg"
    FROM "e_deal" AS "t"
    WHERE "t"."deleted_at" IS NULL AND ("t"."stage" = $3 AND "t"."score" >= $4) AND "t"."score" IS NULL
    ORDER BY "t"."name" ASC NULLS LAST, "t"."id" ASC LIMIT 6) AS "n"
  ORDER BY "seg" ASC, "s0" DESC NULLS LAST, "s1" ASC NULLS LAST, "id" ASC LIMIT 6) AS "p"
JOIN "e_deal" AS "t" ON "t"."id" = "p"."id"
ORDER BY "p"."seg" ASC, "p"."s0" DESC NULLS LAST, "p"."s1" ASC NULLS LAST, "p"."id" ASC;
-- Text Text("won")
-- Int Int(3)
-- Text Text("won")
-- Int Int(3)

