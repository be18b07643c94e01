import { Bug } from "@sampan/problem";
import type { ReferenceTexts } from "./reference-en.ts";

const WORDS: Readonly<Record<string, string>> = {
  "output the version number": "显示版本号",
  "address of the server; else SAMPAN_SERVER, the login, http://127.0.0.1:7070":
    "服务地址；未给出时依次取 SAMPAN_SERVER、登录时的地址、http://127.0.0.1:7070",
  "API token; else SAMPAN_TOKEN, the login": "API 令牌；未给出时依次取 SAMPAN_TOKEN、登录时的令牌",
  "team to work in; else SAMPAN_TEAM, your only team, or `default`":
    "所在团队；未给出时依次取 SAMPAN_TEAM、您唯一的团队、`default`",
  "results, and problems, as JSON": "结果和错误都以 JSON 给出",
  "agree to what would be asked": "对所有询问预先同意",
  "no progress and remarks": "不显示进度和说明",
  Begin: "开始",
  "make the first administrator, the enterprise and a first team, then log in":
    "创建第一个管理员、企业和第一个团队，然后登录",
  "name of the enterprise": "企业名称",
  "name of the administrator": "管理员的用户名",
  "read the password from standard input": "从标准输入读取密码",
  "name of the first team": "第一个团队的名称",
  "log in and remember it in your configuration folder": "登录，并保存在您的配置目录中",
  "user name": "用户名",
  "read the password from standard input; SAMPAN_PASSWORD works too":
    "从标准输入读取密码；也可以用 SAMPAN_PASSWORD",
  "revoke the token of this computer's login, and forget it": "吊销并删除本机登录的令牌",
  "who you are, and your teams": "您是谁，在哪些团队",
  "change your own password; both are asked": "修改自己的密码；会询问旧密码和新密码",
  "Run an app": "运行应用",
  "show what applying an app.yaml would do; nothing is done": "显示应用 app.yaml 将会做什么；不做任何改动",
  "app.yaml; - for standard input": "app.yaml 的路径；- 表示标准输入",
  "the app's name; else the one in the text": "应用名称；未给出时取文件中的名称",
  "answer a parameter; again for each": "回答一个参数；可重复",
  "switch a module; again for each": "打开或关闭一个模块；可重复",
  "why, for the record": "原因，写入记录",
  "make an app what its app.yaml says: create it, or change it":
    "让应用成为 app.yaml 所描述的样子：没有则创建，有则变更",
  "do not wait for the end": "不等待结束",
  "what an app is, and what runs of it": "应用是什么，实际运行着什么",
  "go on, and show it again when it changes; Ctrl-C ends it": "持续观察，变化时重新显示；Ctrl-C 结束",
  "apps: list, show, text, start, stop, remove, recover": "应用：列表、查看、文本、启动、停止、删除、找回",
  "the apps of your teams, or of --team": "您各团队的应用，或 --team 所指团队的应用",
  "what an app is, and what runs of it (sampan observe)": "应用是什么，实际运行着什么（同 sampan observe）",
  "the app as app.yaml, secrets masked": "以 app.yaml 显示应用，密文已遮盖",
  "start all components of an app": "启动应用的所有组件",
  "stop all components; data stays": "停止应用的所有组件；数据保留",
  "stop and forget an app; its volumes stay in the engine": "停止并移除应用；存储卷保留在引擎中",
  "take up again an app that the engine runs and a lost database forgot; without an id, list such apps":
    "重新接管引擎在运行、而数据库丢失后本站点不认识的应用；不给出 id 时列出这些应用",
  "name of the app; else what its name in the engine says": "应用名称；未给出时取引擎中的名称",
  "components of an app: scale, restart, logs, exec, stats":
    "应用的组件：伸缩、重启、日志、执行命令、资源用量",
  "set the number of instances": "设置实例数量",
  "only show what would be done": "只显示将会做什么",
  "how many": "数量",
  "restart all instances of a component": "重启组件的所有实例",
  "log lines of all instances, merged by time; with --json one object a line":
    "所有实例的日志，按时间合并；--json 时每行一个对象",
  "go on as lines come; Ctrl-C ends it": "持续输出新日志；Ctrl-C 结束",
  "lines from the end": "末尾的行数",
  "ISO 8601 time, such as 2026-03-01T08:00:00Z": "ISO 8601 时间，如 2026-03-01T08:00:00Z",
  "one instance only, from 1": "只看一个实例，从 1 开始",
  "run a command in an instance, to its end; put -- before it": "在实例中执行一条命令直到结束；命令前写 --",
  "which instance, from 1": "哪个实例，从 1 开始",
  "how long it may take": "最长时间（秒）",
  "what each instance uses now": "每个实例当前的资源用量",
  "publish what runs as a release of a template": "把正在运行的应用发布为应用模板的一个版本",
  "Publish and carry": "发布与运送",
  "template to publish to; made when it is new; else the app's name":
    "发布到哪个应用模板；没有则新建；未给出时取应用名称",
  "version number; else the next one is suggested and asked": "版本号；未给出时建议下一个并询问",
  "name of the version, such as 'autumn'": "版本别名，如“秋季版”",
  "what is new": "版本说明",
  "what the template is, for the library": "应用模板的简介，显示在组件库中",
  "category; again for each": "分类标签；可重复",
  "PNG, JPEG or SVG, at most 512 KiB": "Logo：PNG、JPEG 或 SVG，不超过 512 KiB",
  "who sees it": "可见范围",
  "publish only this component anew, the others as in the release before; again for each":
    "只重新发布这个组件，其余沿用上一版本；可重复",
  "ask for this value at install: web.env.TITLE; again for each": "安装时询问这个值：web.env.TITLE；可重复",
  "make this value at random at each install; again for each": "每次安装时随机生成这个值；可重复",
  "carry this value, though it looks like a secret; again for each": "原样携带这个值，即使它像密文；可重复",
  "the same version was published before: replace it": "相同版本已发布过：替换它",
  "accept a finding of the report; again for each, or all": "接受发布报告中的一项发现；可重复，或 all",
  "only show the report": "只显示发布报告",
  "write releases into one bundle: TEMPLATE@VERSION, TEMPLATE or digests":
    "把版本写入一个离线包：模板@版本、模板名或摘要",
  "in volumes of at most this size: 650MiB, 4GiB, or for a medium: fat32, dvd, cd":
    "分卷，每卷不超过此大小：650MiB、4GiB，或按介质：fat32、dvd、cd",
  "file or folder to write to; else TEMPLATE-VERSION.sampan here":
    "写到哪个文件或目录；未给出时为当前目录的 模板-版本.sampan",
  "compression: 3 is quick, 9 smaller": "压缩级别：3 较快，9 较小",
  "leave the signature away; a site must then allow it": "不签名；交付环境须另行允许",
  "take a bundle into the library: its file, or its volumes in any order, or a folder of them; everything is verified before anything changes":
    "把离线包导入组件库：一个文件、任意顺序的分卷，或存放它们的目录；全部校验之后才改变任何东西",
  "the path is one on the server, such as of a stick that is plugged in there":
    "路径在服务器上，例如插在服务器上的 U 盘",
  "take in a bundle that nobody signed, or whose signer is not trusted here":
    "接受没有签名、或签名者未受信任的离线包",
  "spare the disk": "限制速度，减轻磁盘压力",
  "bundle files; inspect, verify and repairs need no server": "离线包文件；检查、校验和修复不需要服务",
  "what a bundle file holds and who signed it; reads its beginning only, needs no server":
    "离线包里有什么、谁签的名；只读开头，不需要服务",
  "public key of the vendor (PEM); again for each": "厂商的公钥（PEM）；可重复",
  "re-read a bundle file and check every byte by its digest; needs no server":
    "重读离线包，按摘要检查每个字节；不需要服务",
  "public key (PEM), one of which must have signed; again for each":
    "公钥（PEM），必须有其中之一签过名；可重复",
  "a line to send to the publisher, when files of a bundle are damaged; needs no server":
    "离线包文件损坏时，发给发布方的一行文字；不需要服务",
  "ask also for the volumes that are not given": "也请求未给出的分卷",
  "file to write the line to; else it is shown": "把这一行写到哪个文件；未给出时直接显示",
  "answer a repair request from copies of the bundle that were kept; needs no server":
    "用保留的离线包副本答复修复请求；不需要服务",
  "file or folder to write to; else repair.sampan here":
    "写到哪个文件或目录；未给出时为当前目录的 repair.sampan",
  "bundle files that lie on the server: exports to fetch, uploads on their way":
    "服务器上的离线包文件：待取的导出、进行中的上传",
  "fetch a bundle file from the server; goes on where an earlier attempt ended":
    "从服务器取回离线包文件；从上次中断处继续",
  "file or folder to write to; else its own name here": "写到哪个文件或目录；未给出时用原名写到当前目录",
  "remove a bundle file from the server; what was imported stays": "从服务器删除离线包文件；已导入的保留",
  "vendor keys that this site trusts, and its own": "本站点信任的厂商密钥，以及自己的密钥",
  "trusted keys, and the site's own": "受信任的密钥，以及本站点自己的",
  "this site's public key, to hand to those who shall trust it; its key ID goes to stderr":
    "本站点的公钥，交给需要信任它的人；密钥 ID 输出到标准错误",
  "trust the public key (PEM) in a file: bundles that it signed are accepted from now on":
    "信任文件中的公钥（PEM）：此后接受它签名的离线包",
  "whose key it is": "密钥属于谁",
  "trust a key no longer; what was imported stays": "不再信任某个密钥；已导入的保留",
  "install a release: TEMPLATE@VERSION, TEMPLATE (its newest) or a digest":
    "安装一个版本：模板@版本、模板名（最新版本）或摘要",
  "Install, upgrade, go back": "安装、升级、回滚",
  "name of the new app; else the template's": "新应用的名称；未给出时取模板名称",
  "install into an app that exists": "安装到已有的应用中",
  "upgrade what is installed in an app; shows every property first, then asks":
    "升级应用中已安装的版本；先显示每项属性变更，再询问",
  "version to go to; else the newest in the library": "升级到哪个版本；未给出时为组件库中最新的",
  "which installation, where an app has several": "应用中有多个安装时，指明哪一个",
  "only this component and what it needs; again for each": "只升级这个组件和它所依赖的；可重复",
  "take the new value of what would be kept; again for each": "本会保留的属性改取新值；可重复",
  "keep the site's value of what would change; again for each": "本会改变的属性保留现值；可重复",
  "give another value, as JSON or text; again for each": "给出另外的值，JSON 或文本；可重复",
  "when it fails, leave it as it is instead of going back": "失败时保持原状，不自动退回",
  "go back to what was before the last upgrade, or before a record; data stays":
    "回滚到上次升级之前，或某条记录之前；数据保留",
  "the record to undo; else the last upgrade or rollback": "要撤销的记录；未给出时为最近一次升级或回滚",
  "remove components that the upgrade added": "删除升级时新增的组件",
  "keep an edit that was made since; again for each": "保留此后所做的一处修改；可重复",
  "only show what would return and what would not": "只显示哪些会恢复、哪些不会",
  "installations: releases that run in apps": "安装：运行在应用中的版本",
  "what is installed, and what newer is in the library": "已安装什么，组件库中有什么更新的版本",
  "one installation": "一个安装",
  "records: what was done to apps, by whom, and why": "升级记录：对应用做过什么、谁做的、为什么",
  "Look back": "回看",
  "what was done, newest first; of one app or of all": "做过什么，最新的在前；某个应用或全部",
  "one record: its plan, how each step went, whether it can be undone":
    "一条记录：它的计划、每一步的结果、能否撤销",
  "rollouts: attempts at plans": "执行：对计划的一次尝试",
  "attempts at plans of an app, newest first": "某个应用的执行，最新的在前",
  "wait for a rollout and tell its steps": "等待一次执行结束，并报告每一步",
  "stop before the next step; what was done stays": "在下一步之前停止；已完成的保留",
  "jobs: publish, export, import, prune, check": "任务：发布、导出、导入、清理、检查",
  "long work, newest first": "耗时任务，最新的在前",
  "wait for a job and show how far it is; ends as the job ends": "等待任务并显示进度；结果与任务一致",
  "what a job said": "任务的日志",
  "ask a job to stop; what was done is kept": "请求任务停止；已完成的保留",
  "try a failed or cancelled job again; what was done is kept": "重试失败或取消的任务；已完成的保留",
  "templates: the products in the library": "应用模板：组件库中的产品",
  Library: "组件库",
  "templates that you can install": "您可以安装的应用模板",
  "a template and its releases": "一个应用模板和它的版本",
  "change the name, summary, tags or scope of a template; its releases stay":
    "修改应用模板的名称、简介、标签或可见范围；版本不变",
  "name shown in the library": "在组件库中显示的名称",
  "what it is": "简介",
  "category, in place of those it has; again for each": "分类标签，取代已有的；可重复",
  "remove a template and its releases; refused while one is installed":
    "删除应用模板及其版本；有版本已安装时拒绝",
  "releases: TEMPLATE@VERSION, TEMPLATE (its newest) or a digest":
    "模板版本：模板@版本、模板名（最新版本）或摘要",
  "what a release holds; with --json its whole document": "版本里有什么；--json 时给出完整文档",
  "what differs between two releases": "两个版本之间的差异",
  "remove a release from the library; refused while it is installed": "从组件库删除一个版本；已安装时拒绝",
  "this site: show (also without a word), audit": "本站点：查看（可省略）、审计",
  "Site and people": "站点与人员",
  "engine, hold, registry, key and version of this site": "本站点的引擎、内容存储、镜像仓库、密钥和版本",
  "who did what, newest first": "谁做了什么，最新的在前",
  "the content store: prune, check": "内容存储：清理、检查",
  "free what nothing needs any more; shows the plan and asks first": "释放不再需要的内容；先显示计划并询问",
  "only show the plan": "只显示计划",
  "re-read everything and name what is damaged": "重读全部内容，指出损坏之处",
  "teams and their members": "团队及其成员",
  "the teams that you can see": "您可以看到的团队",
  "make a team": "创建团队",
  "name shown": "显示名称",
  "remove a team that has no apps": "删除没有应用的团队",
  "who is in the team (--team)": "团队（--team）中有谁",
  "put a user into the team (--team), change the role, or take the user out":
    "把用户加入团队（--team）、改变角色或移出",
  "what the user may do; none takes out": "用户的角色；none 表示移出",
  "users of the enterprise": "企业的用户",
  "all users": "所有用户",
  "make a user": "创建用户",
  "administrator of the enterprise": "企业管理员",
  "read the password from standard input; else it is asked": "从标准输入读取密码；未给出时询问",
  "give a user another password": "为用户重设密码",
  "shut a user out at once": "立即停用用户",
  "let a user in again": "重新启用用户",
  "your API tokens": "您的 API 令牌",
  "your tokens; their secrets are shown only when made": "您的令牌；密文只在创建时显示",
  "make a token; only its secret goes to stdout, and only now":
    "创建令牌；只把密文输出到标准输出，且仅此一次",
  "how long it is valid; else for ever": "有效天数；未给出时永久有效",
  "make a token worthless": "吊销令牌",
  "print a script that completes commands and options with the tab key": "输出用 Tab 键补全命令和选项的脚本",
  Shell: "命令行环境",
  "which shell": "哪种 shell",
  "what a command does, and examples": "命令的作用和示例",
  "make an app what its app.yaml says; or do a plan that was kept with --save, if nothing has moved":
    "让应用成为 app.yaml 所描述的样子；或执行用 --save 保存的计划，前提是应用没有变动过",
  "apps: list, show, text, start, stop, modules, remove, recover":
    "应用：列表、查看、文本、启动、停止、模块、移除、找回",
  "the modules of an app; with -m, turn some on or off: data stays": "应用的模块；用 -m 打开或关闭：数据保留",
  "only show it, and keep the plan in a file for `sampan apply FILE`":
    "只显示，并把计划保存到文件，供 `sampan apply FILE` 执行",
  "go on although the site lacks something; the record says so": "站点缺少所需条件也继续；记录中会写明",
  "a component of the release takes up one here that it was rebuilt from; again for each":
    "新版本中重建的组件接替这里的某个组件；可重复",
  "capture data first: of all, or of these (a,b); else as the policy says":
    "先拍摄数据快照：全部，或指定组件（a,b）；未给出时按策略",
  "do not capture data first, whatever the policy says": "不先拍摄数据快照，不管策略怎么说",
  "when it fails and goes back, put the captured data back too": "失败并自动回退时，也恢复快照中的数据",
  "go back to what was before the last upgrade, or before a record; data stays unless chosen":
    "回到上次升级之前，或某条记录之前；除非另行选择，数据保留",
  "put the data back too, as it was captured before the upgrade": "同时恢复升级前快照中的数据",
  "put the data back as another snapshot has it": "用另一个快照恢复数据",
  "do not capture the data that is there before it is replaced": "替换现有数据前不先拍摄快照",
  "data snapshots: volumes captured before an upgrade or by hand, to be put back":
    "数据快照：升级前或手动拍摄的存储卷内容，可以恢复",
  Data: "数据",
  "capture the data of an app; a component that cannot hold still meanwhile is stopped for it":
    "拍摄应用的数据快照；不能在运行中保持数据一致的组件会暂时停止",
  "only of this component; again for each": "只针对这个组件；可重复",
  "data snapshots, newest first; of one app or of all": "数据快照，最新的在前；某个应用的或全部",
  "one data snapshot: of what, for what, how large": "一个数据快照：包含什么、为何拍摄、多大",
  "put data back into the app that it came from; what is there is captured first":
    "把数据恢复到它所属的应用；先为现有数据拍摄快照",
  "only this volume; again for each": "只针对这个存储卷；可重复",
  "remove a data snapshot; pruning the hold frees its room": "删除一个数据快照；清理内容库后释放空间",
  "an app with its releases, images and data in one file, for this site or another":
    "把应用及其版本、镜像和数据写入一个文件，供本站点或其他站点使用",
  "write an app and its data into one file; data in volumes is not encrypted, so guard the file":
    "把应用及其数据写入一个文件；存储卷中的数据不加密，请妥善保管",
  "file or folder to write to; else APP.sampan here": "写入的文件或目录；未给出时为当前目录的 APP.sampan",
  "data as this snapshot has it; else it is captured now": "使用这个快照中的数据；未给出时现在拍摄",
  "only data of this component; again for each": "只含这个组件的数据；可重复",
  "what seals the secrets in it: the first line of this file, or - for standard input; else SAMPAN_PASSPHRASE, or it is asked":
    "用来密封其中密文的口令：此文件的第一行，- 表示标准输入；未给出时取 SAMPAN_PASSPHRASE，或询问",
  "make an app from a backup, with its data; the site that wrote it must be trusted here":
    "由备份恢复出应用及其数据；写出备份的站点须受本站点信任",
  "name of the app; else as it was called": "应用名称；未给出时沿用原名",
  "take a file whose signer is not trusted here": "接受签名者不受本站点信任的文件",
  "one record: its plan, what was decided and checked, how each step went, whether it can be undone":
    "一条记录：计划、决定与检查、每一步的结果、能否撤销",
  "what differs between an app after one record and after another": "应用在两条记录之后的差异",
  "the acceptance report of an install, upgrade or rollback, signed by the site":
    "安装、升级或回滚的验收报告，由站点签名",
  "write it as a page to read and print, with the signed text inside":
    "写成可阅读、可打印的网页，内含签名的原文",
  "write it as JSON": "写成 JSON",
  "language of the page": "网页的语言",
  "put a person's name under the acceptance report of a record": "在某条记录的验收报告上会签",
  "the person's name": "会签人姓名",
  "what the person adds": "会签人的备注",
  "private key of the person (Ed25519, PEM): signs the report itself":
    "会签人的私钥（Ed25519，PEM）：对报告本身签名",
  "acceptance reports; verify needs no server": "验收报告；验证不需要服务",
  "check the signatures of an acceptance report, JSON or page; needs no server":
    "检查验收报告（JSON 或网页）的签名；不需要服务",
  "public key of the site (PEM); again for each": "站点的公钥（PEM）；可重复",
  "this site: show (also without a word), state, receipt, policy, audit":
    "本站点：查看（可省略）、站点状态、回执、策略、审计",
  "what this site holds, runs and can, signed, for its vendor; no secrets are in it":
    "本站点持有、运行和具备什么，签名后交给厂商；其中没有密文",
  "write it to a file, and show what is in it": "写成文件，并显示其内容",
  "what arrived here, what was done and who accepted it, signed, for the vendor":
    "到达了什么、做了什么、谁验收的，签名后交给厂商",
  "without what the vendor knows from documents up to this number":
    "不含厂商从编号不大于此的文件中已经得知的内容",
  "sites that you deliver to: add, list, show, note, remove, verify":
    "您交付的站点（台账）：收入、列表、查看、备注、移除、验证",
  "take in site states and receipts; the first file of a site pins it to its key":
    "收入站点状态和回执；站点的第一个文件把它与其密钥绑定",
  "the sites, and what each runs": "各站点，以及各自运行什么",
  "what a site holds and runs, and what its receipts tell; by name or id":
    "某个站点持有和运行什么，其回执说明了什么；按名称或 id",
  "write something down about a site; an empty text takes it away": "为站点写备注；空文本则删除备注",
  "forget a site, its key and its receipts": "移除站点、其密钥和回执",
  "check the signature of a site state or receipt, and show it; needs no server":
    "检查站点状态或回执的签名并显示；不需要服务",
  "public key of the site (PEM), which must have signed it": "站点的公钥（PEM），必须由它签名",
  "increment on a release that the receiver has; again for another":
    "以接收方已有的版本为基础的增量包；可重复",
  "increment for a site of the ledger; again for another": "为台账中的站点制作增量包；可重复",
  "increment for the site that wrote this state; again for another":
    "为写出此站点状态的站点制作增量包；可重复",
  "what this site asks of changes; with options, change it": "本站点对变更的要求；带选项时修改",
  "installs, upgrades and rollbacks must say why": "安装、升级和回滚必须写明原因",
  "data is captured before every upgrade": "每次升级前都拍摄数据快照",
  "how many automatic data snapshots of an app are kept": "每个应用保留多少个自动数据快照",
};

export const REFERENCE_ZH: ReferenceTexts = {
  option: "选项",
  meaning: "含义",
  fallback: "默认",
  say(text) {
    const word = WORDS[text];
    if (word === undefined) throw new Bug(`the Chinese reference lacks: ${text}`);
    return word;
  },
  head: `# 命令行

[English](../cli.md) · [使用指南](README.md)

本页由程序生成（\`npm run generate\`）。\`sampan help 命令\` 显示同样的内容和示例（英文）。如何让 \`sampan\` 命令可用：
[快速开始](getting-started.md#sampan-命令)。`,
  global: `## 所有命令通用的选项

可以写在命令行的任何位置。`,
  facts: `| 环境变量 | 含义 |
|---|---|
| \`SAMPAN_SERVER\` | 服务地址 |
| \`SAMPAN_TOKEN\` | API 令牌，例如来自 \`sampan token create\` |
| \`SAMPAN_TEAM\` | 所在团队 |
| \`SAMPAN_PASSWORD\` | 无人值守时 \`setup\` 和 \`login\` 使用的密码 |
| \`SAMPAN_CONFIG\` | 保存登录的文件；默认 \`~/.config/sampan/session.json\` |

## 在脚本中使用

- 结果写到标准输出，进度和说明写到标准错误。\`--json\` 把结果作为一个 JSON 文档给出，此外保持安静；\`component logs\` 和
  \`observe --watch\` 每行给出一个 JSON 对象。
- 错误在标准错误中占三行（发生了什么、原因、怎么办）；\`--json\` 时为
  \`{"error": {"code", "message", "why", "hint", "faults"}}\`。错误码是稳定的：[全部错误码](../../reference/problems.md)。
- 无人应答时，询问等于拒绝（退出码 3）；\`--yes\` 预先同意。它不会接受发布报告中的发现：那些要用 \`--accept\` 逐项指明。
- Ctrl-C 结束的是命令，不是服务器上的工作：它会说明如何再次查看。中断的传输，再次运行同一条命令即从断点继续。

| 退出码 | 含义 |
|---|---|
| 0 | 完成 |
| 1 | 失败：执行、任务，或组件中的命令 |
| 2 | 命令行、文件或答案不能使用 |
| 3 | 被拒绝：没有权限、没有信任、没有同意 |
| 4 | 不存在 |
| 5 | 冲突：名称已被占用，或有别的变更正在进行 |
| 6 | 损坏：字节与应有的不符 |
| 7 | 外部原因：没有服务、没有引擎、磁盘空间不足 |
| 130 | Ctrl-C |`,
};
