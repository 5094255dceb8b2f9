# 定義：將會改變什麼、影響誰，以及以往的版本。

definitions-title = 定義
definitions-text = 本工作區的檔案將會改變什麼，以及套用過哪些版本。
plan-title = 檔案將帶來的變更
plan-none = 無變更：目前生效的定義與檔案一致。
plan-faults = 檔案中有 { $count } 處錯誤。修正之前無法套用；仍以之前的定義為準。
plan-people = 誰的權限增加或減少
plan-people-help = 依目前記錄統計，以每個人所有角色合併後的權限為準：其中一人最多獲得或失去的數量。管理員本來就可以做任何事。
plan-people-count = { $count ->
    [0] 無人
   *[other] { $count } 人
  }
plan-gains = 獲得
plan-losses = 失去
plan-gain-action = { $action }：{ $entity }
plan-gain-field = { $action }：{ $entity }的欄位「{ $field }」
plan-gain-records = { $action }：{ $count } 筆{ $entity }
plan-gain-at-least = { $action }：至少 { $count } 筆{ $entity }
plan-gain-more = { $action }：超過 { $count } 筆{ $entity }
plan-gain-uncounted = { $action }：{ $entity }（未統計數量）
plan-changes = 變更
plan-change = 變更
plan-what = 對象
plan-effect = 影響
plan-risk = 注意
plan-accept = 請逐項接受會隱藏值或擴大權限的變更
plan-accept-one = { $what }：{ $effect }
plan-accept-role = { $role }（{ $people }）：{ $what }
plan-apply = 套用
plan-again = 重新檢視
plan-is-blocked = 由於現有記錄，部分變更無法進行。
plan-stranded = { $records } 筆記錄處於流程 { $pipeline } 已移除的階段 { $stages }。請先移動這些記錄，或用「retired: true」保留該階段。
plan-blocked = { $groups } 組共 { $records } 筆記錄的 { $fields } 值相同。請先合併或修改這些記錄。
plan-is-another = 檔案或定義在此期間已改變。以下是現在將會進行的變更。
plan-not-accepted = 還有需要接受的變更未被接受。
plan-not-applied = 未套用任何變更。
done-applied = 定義已生效。
plan-risk-meta = 無
plan-risk-additive = 新增
plan-risk-online = 需要時間
plan-risk-data-dependent = 取決於記錄
plan-risk-breaking-api = 影響外部程式
plan-risk-widening-access = 擴大權限
plan-risk-hides = 隱藏值
plan-effect-meta = 僅定義
plan-effect-new-table = 一張資料表，{ $fields } 個欄位、{ $indexes } 個索引、{ $views } 個檢視
plan-effect-records-back = 恢復 { $count } 筆記錄
plan-effect-records-hidden = 隱藏 { $count } 筆記錄，資料仍保留在資料表中
plan-effect-values-back = 恢復 { $count } 個值
plan-effect-values-hidden = 隱藏 { $count } 個值，資料仍保留在資料表中
plan-effect-lacking = { $count } 筆記錄缺少該值，直到再次儲存
plan-effect-computed = 為 { $count } 筆記錄計算
plan-effect-columns = { $count ->
    [0] 無欄
    [1] 欄 { $name }
   *[other] { $count } 欄
  }
plan-effect-unique = 保證值唯一的索引
plan-effect-index = 涵蓋 { $count } 筆記錄的索引
plan-effect-index-dropped = 刪除索引
plan-effect-entity-renamed = 原名 { $name }；記錄和編號不變
plan-effect-field-renamed = 原名 { $name }；所有值不變
plan-effect-field-answered = 原名 { $name }，仍可使用
plan-effect-keep-it = { $count } 筆記錄保留該值
plan-effect-role = 見「誰的權限增加或減少」
plan-effect-exposed = 凡可檢視該欄位的人都能看到，不論由什麼計算而來
plan-kind-create-entity = 新增實體
plan-kind-retire-entity = 隱藏實體
plan-kind-restore-entity = 恢復實體
plan-kind-rename-entity = 重新命名實體
plan-kind-change-entity = 修改實體
plan-kind-create-field = 新增欄位
plan-kind-retire-field = 隱藏欄位
plan-kind-restore-field = 恢復欄位
plan-kind-rename-field = 重新命名欄位
plan-kind-change-field = 修改欄位
plan-kind-create-option = 新增選項
plan-kind-retire-option = 隱藏選項
plan-kind-restore-option = 恢復選項
plan-kind-change-option = 修改選項
plan-kind-create-unique = 新增唯一約束
plan-kind-drop-unique = 刪除唯一約束
plan-kind-create-index = 新增索引
plan-kind-drop-index = 刪除索引
plan-kind-create-part = 新增
plan-kind-remove-part = 移除
plan-kind-change-part = 修改
versions-title = 已套用的版本
versions-none = 暫無。
version-number = 版本
version-current = 生效中
version-at = 套用時間
version-by = 操作人
version-by-program = 命令列
version-digest = 摘要
