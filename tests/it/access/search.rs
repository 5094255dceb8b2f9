//! Search by those who may not read every searched field: the index finds, what they read decides.

use serde_json::json;

use super::world::{World, get, person};

#[tokio::test]
async fn what_is_hidden_decides_nothing_and_what_is_read_is_found_as_by_everybody() {
    let world = World::new().await;
    let everything = person(&world.app, "everything", &["user"], json!({})).await;
    let names = [
        ("Shared pot", "hare"),
        ("Hare", ""),
        ("mail@example.com, O'Neil", ""),
        ("华为合同 Phase2", "合作"),
        ("（上海）贸易", ""),
        ("Straße école", "shared"),
        ("x", "phase"),
    ];
    for (name, remark) in names {
        world.deal(&world.rep, json!({"name": name, "remark": remark})).await;
    }
    let found = async |who, words: &str| {
        let answer = get(&world.app, who, &format!("/api/v1/records/deal?q={words}&select=name&sort=name")).await.expect_status(200).json();
        let rows = answer["data"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row["name"].as_str().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    // Words that stand in the hidden remark alone, and the middle of a word that stands there as a whole.
    for (words, expected) in [("hare", vec!["Hare"]), ("%E5%90%88%E4%BD%9C", vec![]), ("phase", vec!["华为合同 Phase2"])] {
        assert_eq!(found(&world.rep, words).await, expected, "{words}");
        assert!(found(&everything, words).await.len() > expected.len(), "{words}");
    }
    // Words of the name: begun ones, several, pairs of characters, behind signs.
    for words in [
        "shar",
        "pot%20shared",
        "exam",
        "com",
        "neil",
        "mail@example",
        "%E5%8D%8E%E4%B8%BA",
        "%E5%90%88%E5%90%8C",
        "%E4%B8%8A%E6%B5%B7",
        "%E6%98%93",
        "stra%C3%9Fe",
        "%C3%A9co",
        "pha%20%E5%8D%8E",
        "nothing",
        "o'neil",
    ] {
        let all: Vec<String> = found(&everything, words)
            .await
            .into_iter()
            .filter(|name| name != "x" && (words != "shar" || !name.starts_with("Stra")))
            .collect();
        assert_eq!(found(&world.rep, words).await, all, "{words}");
    }
    let counted = get(&world.app, &world.rep, "/api/v1/records/deal?q=shar&count=exact&limit=1").await.json();
    assert_eq!(counted["total"]["value"], 1);
    assert!(get(&world.app, &world.rep, "/search?q=shar").await.text().contains("Shared pot"));
}
