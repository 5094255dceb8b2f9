# 定义：将会改变什么、影响谁，以及以往的版本。

definitions-title = 定义
definitions-text = 本工作区的文件将会改变什么，以及应用过哪些版本。
plan-title = 文件将带来的更改
plan-none = 无更改：当前生效的定义与文件一致。
plan-faults = 文件中有 { $count } 处错误。修正之前无法应用；仍以之前的定义为准。
plan-people = 谁的权限增加或减少
plan-people-help = 按当前记录统计，以每个人所有角色合并后的权限为准：其中一人最多获得或失去的数量。管理员本来就可以做任何事。
plan-people-count = { $count ->
    [0] 无人
   *[other] { $count } 人
  }
plan-gains = 获得
plan-losses = 失去
plan-gain-action = { $action }：{ $entity }
plan-gain-field = { $action }：{ $entity }的字段“{ $field }”
plan-gain-records = { $action }：{ $count } 条{ $entity }
plan-gain-at-least = { $action }：至少 { $count } 条{ $entity }
plan-gain-more = { $action }：超过 { $count } 条{ $entity }
plan-gain-uncounted = { $action }：{ $entity }（未统计数量）
plan-changes = 更改
plan-change = 更改
plan-what = 对象
plan-effect = 影响
plan-risk = 注意
plan-accept = 请逐项接受会隐藏值或扩大权限的更改
plan-accept-one = { $what }：{ $effect }
plan-accept-role = { $role }（{ $people }）：{ $what }
plan-apply = 应用
plan-again = 重新查看
plan-is-blocked = 由于现有记录，部分更改无法进行。
plan-stranded = { $records } 条记录处于流程 { $pipeline } 已移除的阶段 { $stages }。请先移动这些记录，或用“retired: true”保留该阶段。
plan-blocked = { $groups } 组共 { $records } 条记录的 { $fields } 值相同。请先合并或修改这些记录。
plan-is-another = 文件或定义在此期间已改变。以下是现在将会进行的更改。
plan-not-accepted = 还有需要接受的更改未被接受。
plan-not-applied = 未应用任何更改。
done-applied = 定义已生效。
plan-risk-meta = 无
plan-risk-additive = 新增
plan-risk-online = 需要时间
plan-risk-data-dependent = 取决于记录
plan-risk-breaking-api = 影响外部程序
plan-risk-widening-access = 扩大权限
plan-risk-hides = 隐藏值
plan-effect-meta = 仅定义
plan-effect-new-table = 一张表，{ $fields } 个字段、{ $indexes } 个索引、{ $views } 个视图
plan-effect-records-back = 恢复 { $count } 条记录
plan-effect-records-hidden = 隐藏 { $count } 条记录，数据仍保留在表中
plan-effect-values-back = 恢复 { $count } 个值
plan-effect-values-hidden = 隐藏 { $count } 个值，数据仍保留在表中
plan-effect-lacking = { $count } 条记录缺少该值，直到再次保存
plan-effect-computed = 为 { $count } 条记录计算
plan-effect-columns = { $count ->
    [0] 无列
    [1] 列 { $name }
   *[other] { $count } 列
  }
plan-effect-unique = 保证值唯一的索引
plan-effect-index = 覆盖 { $count } 条记录的索引
plan-effect-index-dropped = 删除索引
plan-effect-entity-renamed = 原名 { $name }；记录和编号不变
plan-effect-field-renamed = 原名 { $name }；所有值不变
plan-effect-field-answered = 原名 { $name }，仍可使用
plan-effect-keep-it = { $count } 条记录保留该值
plan-effect-role = 见“谁的权限增加或减少”
plan-effect-exposed = 凡可查看该字段的人都能看到，不论由什么计算而来
plan-kind-create-entity = 新增实体
plan-kind-retire-entity = 隐藏实体
plan-kind-restore-entity = 恢复实体
plan-kind-rename-entity = 重命名实体
plan-kind-change-entity = 修改实体
plan-kind-create-field = 新增字段
plan-kind-retire-field = 隐藏字段
plan-kind-restore-field = 恢复字段
plan-kind-rename-field = 重命名字段
plan-kind-change-field = 修改字段
plan-kind-create-option = 新增选项
plan-kind-retire-option = 隐藏选项
plan-kind-restore-option = 恢复选项
plan-kind-change-option = 修改选项
plan-kind-create-unique = 新增唯一约束
plan-kind-drop-unique = 删除唯一约束
plan-kind-create-index = 新增索引
plan-kind-drop-index = 删除索引
plan-kind-create-part = 新增
plan-kind-remove-part = 移除
plan-kind-change-part = 修改
versions-title = 已应用的版本
versions-none = 暂无。
version-number = 版本
version-current = 生效中
version-at = 应用时间
version-by = 操作人
version-by-program = 命令行
version-digest = 摘要
