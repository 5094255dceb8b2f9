SELECT "t"."id", "p"."s0"
FROM (SELECT * FROM (SELECT "t"."id" AS "id", "t"."close_on" AS "s0", 0 AS "seg"
    FROM "e_deal" AS "t"
    WHERE "t"."deleted_at" IS NULL AND "t"."close_on" IS NOT NULL AND ("t"."close_on", "t"."id") < (?, ?)
    ORDER BY "t"."close_on" DESC, "t"."id" DESC LIMIT 51) AS "v"
  UNION ALL
  SELECT * FROM (SELECT "t"."id" AS "id", "t"."close_on" AS "s0", 1 AS "seg"
    FROM "e_deal" AS "t"
    WHERE "t"."deleted_at" IS NULL AND "t"."close_on" IS NULL
    ORDER BY "t"."id" DESC LIMIT 51) AS "n"
  ORDER BY "seg" ASC, "s0" DESC NULLS LAST, "id" DESC LIMIT 51) AS "p"
JOIN "e_deal" AS "t" ON "t"."id" = "p"."id"
ORDER BY "p"."seg" ASC, "p"."s0" DESC NULLS LAST, "p"."id" DESC;
-- Date Int(20000)
-- Int Int(77)

