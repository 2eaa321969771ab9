// The words of the page, in both languages. What the tables have, is taken from the tables.
import { LAW } from "./tables.js";

export const LANGUAGES = ["en", "zh"];

const PAGE = {
  title: ["Verify a bill of lading", "提单验真"],
  lead: [
    "Everything is checked on this computer. Nothing is sent anywhere.",
    "全部验证在本机完成,不向任何地方发送数据。",
  ],
  bundle: [
    "Evidence file (*.ebl.json) or printed copy (*.pdf)",
    "证据文件(*.ebl.json)或打印副本(*.pdf)",
  ],
  trust: ["Trust file of the platform (trust.json)", "平台信任文件(trust.json)"],
  trustHint: [
    "From the platform's publication, never together with the evidence file.",
    "须取自平台的公开发布,切勿与证据文件同时取得。",
  ],
  trusted: ["Trusted", "已信任"],
  drop: ["… or drop the files anywhere on this page.", "……或将文件拖放到本页任意处。"],
  again: ["Verify again", "重新验证"],
  print: ["Print", "打印"],
  checking: ["Checking …", "正在验证……"],
  language: ["Language", "语言"],
  demo: ["DEMONSTRATION, without legal effect", "演示数据,无法律效力"],
  verifiedAt: ["Verified at", "验证时间"],
  next: ["What to do next", "下一步"],
  checks: ["Checks", "检查项"],
  bill: ["The bill", "提单内容"],
  chain: ["Endorsement chain", "背书链"],
  custody: ["Custody of the containers", "集装箱保管记录"],
  proof: ["Proof details", "证明细节"],
  acts: ["Signed acts", "已签署行为"],
  when: ["Recorded", "记录时间"],
  who: ["By", "签署方"],
  act: ["Act", "行为"],
  possession: ["Holder", "持有人"],
  order: ["To the order of", "指示人"],
  inBlank: ["in blank", "空白背书"],
  final: ["final", "不可再背书"],
  key: ["Key", "密钥"],
  entry: ["Entry", "序号"],
  occurred: ["At the place", "发生时间"],
  seals: ["Seals", "封号"],
  sealException: ["seals differ from those seen before", "封号与此前所见不符"],
  printed: [
    "Only the evidence attached to this PDF was checked; the print on its pages proves nothing.",
    "仅核验了PDF内附的证据；其页面上的印刷内容不具证明力。",
  ],
  fields: ["Disclosed fields of a bill (*.sdjwt), if you were given any", "披露字段文件(*.sdjwt),如有"],
  fieldsHint: [
    "They are checked beside the evidence of their bill, which alone tells its status.",
    "须与其提单的证据一并核验;状态只能由证据得知。",
  ],
  fieldsAway: ["Put the disclosed fields aside", "移除披露字段文件"],
  disclosed: ["Disclosed fields", "已披露字段"],
  field: ["Field", "字段"],
  value: ["Value", "内容"],
  outcome: ["Outcome", "结论"],
  nothingDisclosed: ["This file discloses no field.", "此文件未披露任何字段。"],
  evidenceChecks: ["Checks of the evidence", "证据的检查项"],
  unknownStatus: ["not known", "未知"],
  yes: ["yes", "是"],
  no: ["no", "否"],
  partial: [
    "A partial file: what is shown is proven, the status is as stated by the platform.",
    "部分披露文件:所示内容已验证,状态据平台声明。",
  ],
  notTrustFile: ["The trust file cannot be used", "信任文件不可用"],
  tooLarge: ["The file is too large", "文件过大"],
  unreadable: ["The file cannot be opened", "文件无法打开"],
  failed: [
    "The verifier itself failed; this says nothing about the file",
    "验证程序自身出错;这不说明文件的真伪",
  ],
  fileDigest: ["SHA-256 of the file", "文件 SHA-256"],
  evidenceDigest: ["SHA-256 of the attached evidence", "所附证据 SHA-256"],
};

const FACTS = {
  reference: ["B/L no.", "提单号"],
  kind: ["Type", "类型"],
  status: ["Status", "状态"],
  holder: ["Holder", "持有人"],
  titleHolder: ["To the order of", "指示人"],
  goesTo: ["On its way to", "转往"],
  home: ["Issued on the platform", "签发平台"],
  carrier: ["Carrier", "承运人"],
  shipper: ["Shipper", "托运人"],
  consignee: ["Consignee", "收货人"],
  endorsee: ["To order of (document)", "凭指示(单据)"],
  notify: ["Notify", "通知方"],
  vessel: ["Vessel and voyage", "船名航次"],
  receipt: ["Place of receipt", "收货地"],
  loading: ["Port of loading", "装货港"],
  discharge: ["Port of discharge", "卸货港"],
  delivery: ["Place of delivery", "交货地"],
  onBoard: ["Shipped on board", "装船日期"],
  received: ["Received for shipment", "收妥待运日期"],
  issued: ["Issued", "签发日期"],
  containers: ["Containers", "集装箱"],
  goods: ["Goods", "货物"],
  asOf: ["As of", "截至"],
  signedBy: ["Signed by the carrier", "签署承运人"],
  currentUntil: ["Current until", "有效至"],
  statusAt: ["Where to ask for the status", "状态查询地址"],
  undisclosed: ["Fields not disclosed", "未披露字段数"],
  bill: ["Bill (SHA-256 of the document)", "提单标识(单据 SHA-256)"],
};

const CHECKS = {
  file: ["File", "文件"],
  trust: ["Trust file", "信任文件"],
  statement: ["Platform's statement", "平台声明"],
  checkpoint: ["Head of the log", "日志检查点"],
  inclusion: ["Entries in the log", "日志收录"],
  streams: ["Nothing left out", "完整无缺"],
  document: ["Document", "单据"],
  signatures: ["Signatures of the parties", "当事人签名"],
  law: ["Every act lawful", "行为合规"],
  peers: ["Other platforms", "其他平台"],
  currency: ["How old", "时效"],
  evidence: ["Evidence of the bill", "提单证据"],
  bill: ["Same bill", "同一提单"],
  commitment: ["Carrier's commitment", "承运人承诺"],
  signature: ["Carrier's signature", "承运人签名"],
};

const CODES = {
  well_formed: ["The file is whole and in its one form", "文件完整,格式规范"],
  bad_file: ["The file is damaged, changed, or no evidence file", "文件已损坏、被改动或不是证据文件"],
  unknown_version: ["A later version than this verifier knows", "版本较新,本程序不认识"],
  trusted_origin: ["The trust file is for this platform", "信任文件属于该平台"],
  no_trust_file: ["No trust file: nothing says whose keys count", "缺少信任文件,无法判断密钥归属"],
  other_platform: ["The trust file is of another platform", "信任文件属于其他平台"],
  signed_statement: ["Signed by the platform", "平台已签名"],
  bad_statement_signature: ["Not signed by this platform", "并非由该平台签名"],
  other_checkpoint: ["The statement belongs to another head of the log", "声明与日志检查点不符"],
  signed_checkpoint: ["Signed by the log", "日志已签名"],
  bad_checkpoint: ["Not signed by the platform's log", "并非由平台日志签名"],
  checkpoint_differs: ["Statement and head of the log differ", "声明与日志检查点不一致"],
  too_few_witnesses: ["Fewer witnesses than the trust file asks for", "见证数量不足"],
  included: ["Every entry is in the log", "所有记录均在日志中"],
  bad_order: ["The entries are not in the order of the log", "记录顺序与日志不符"],
  not_included: ["An entry is not in the log", "有记录不在日志中"],
  complete: ["Nothing is missing, doubled or out of order", "无缺漏、重复或错序"],
  broken_stream: ["Something is missing, doubled or out of order", "存在缺漏、重复或错序"],
  hidden_entry: ["An entry was taken out of a full file", "完整文件中有记录被移除"],
  not_understood: ["An act of a later version", "包含较新版本的行为"],
  right_document: ["The document is the one that was issued", "单据即所签发的单据"],
  no_document: ["The document was taken out", "单据被移除"],
  unreadable_document: ["The document cannot be read", "单据无法读取"],
  other_document: ["Another document than the one that was issued", "单据并非所签发的单据"],
  signed: ["Each act is signed by its own party", "每一行为均由当事人本人签署"],
  unknown_registrar: ["The log does not begin with this platform's operator", "日志并非由该平台运营方起始"],
  lawful: ["Every act was lawful; holder and status follow", "所有行为合规,持有人与状态由此得出"],
  as_stated: ["Status as stated by the platform (partial file)", "状态据平台声明(部分披露文件)"],
  no_issue: ["The bill was never issued", "提单从未签发"],
  title_differs: ["The acts lead to another holder or status than stated", "行为结果与声明的持有人或状态不符"],
  peer_signed: ["What another platform or its carrier signed is theirs", "其他平台或承运人的签名属实"],
  peer_unchecked: [
    "Not checked: the trust file names no key of another platform or its carrier",
    "未核验:信任文件中没有其他平台或其承运人的密钥",
  ],
  peer_forged: ["What another platform is said to have signed is not signed by it", "所称其他平台的签名并非其所签"],
  chain_differs: ["The chain from abroad tells another story than was recorded", "其他平台的背书链与记录不符"],
  no_chain: ["The chain by which the bill came was taken out", "其他平台的背书链被移除"],
  ended: ["The bill has ended; this does not go stale", "提单已终结,结论不会过时"],
  current: ["Fresh", "仍在有效时限内"],
  stale: ["Older than what counts as current", "已超过有效时限"],
  moved: ["The original has moved to another platform", "正本已转至另一平台"],
  from_the_future: ["Stated later than this computer's clock", "声明时间晚于本机时钟"],
  no_evidence: ["No evidence of the bill: nothing tells who signed, and its status", "缺少提单证据,无法得知签署人与状态"],
  bad_evidence: ["The evidence beside the fields is not genuine", "所附证据不真实"],
  unverified_evidence: ["The evidence could not be verified", "证据无法核验"],
  verified_evidence: ["The evidence is genuine", "证据真实"],
  same_bill: ["Fields and evidence are of the same bill", "字段与证据属于同一提单"],
  other_bill: ["Fields and evidence are of different bills", "字段与证据属于不同提单"],
  issue_hidden: ["This evidence does not show how the bill was issued", "此证据未显示提单的签发行为"],
  other_carrier: ["Another carrier than the one that issued the bill", "并非签发提单的承运人"],
  no_commitment: ["The bill was issued without a commitment to its fields", "提单签发时未对字段作出承诺"],
  other_commitment: ["Not what the carrier committed to when it issued the bill", "与承运人签发时的承诺不符"],
  committed: ["The carrier committed to these fields when it issued the bill", "承运人签发提单时已承诺这些字段"],
  "signature.signed": [
    "Signed by the carrier, with a key that counted when it issued the bill",
    "承运人以签发提单时有效的密钥签署",
  ],
  "signature.wrong_key": ["Not a key of the carrier when it issued the bill", "并非承运人签发提单时的密钥"],
  other_carrier_code: ["Not the carrier's own code", "并非该承运人的代码"],
  as_in_document: ["Every disclosed value stands in the document", "所有披露内容均与单据一致"],
  value_differs: ["The document says something else", "单据内容与披露不符"],
};

const OUTCOMES = {
  VALID: ["holds", "通过"],
  INVALID: ["DOES NOT HOLD", "不通过"],
  UNKNOWN: ["not known", "未知"],
};

const NEXT = {
  CURRENT: [
    "Rely on it now; get a fresh file before you act on it later.",
    "现在可以信赖;日后行事前请取得新的文件。",
  ],
  ENDED: [
    "Keep it as proof. Nothing can be done with this bill any more.",
    "请留作证明。此提单不能再办理任何业务。",
  ],
  [LAW.report.forged]: [LAW.report.forged, "切勿信赖此文件。请向发送方索取新文件,并告知平台。"],
  [LAW.report.askAgain]: [LAW.report.askAgain, "请向平台或持有人索取新的文件。"],
  "Use a newer verifier.": ["Use a newer verifier.", "请使用较新的验证程序。"],
  "Get the platform's trust file from its publication, not together with this file.": [
    "Get the platform's trust file from its publication, not together with this file.",
    "请从平台的公开发布取得信任文件,不要与此文件同时取得。",
  ],
  "Ask the platform that holds the original now; this one cannot speak for it.": [
    "Ask the platform that holds the original now; this one cannot speak for it.",
    "请向现在持有正本的平台查询;本平台不能代其说明。",
  ],
  "Add that signer's keys to the trust file (bol keys trust) if you want this checked.": [
    "Add that signer's keys to the trust file (bol keys trust) if you want this checked.",
    "如需核验,请将该签署方的密钥加入信任文件(bol keys trust)。",
  ],
  "Ask the holder for the evidence made for disclosures: bol bill evidence --issue-only.": [
    "Ask the holder for the evidence made for disclosures: bol bill evidence --issue-only.",
    "请向持有人索取为披露制作的证据(bol bill evidence --issue-only)。",
  ],
  "Set the clock of this machine and verify again.": [
    "Set the clock of this computer and verify again.",
    "请校准本机时钟后重新验证。",
  ],
};

const TABLES = { page: PAGE, facts: FACTS, checks: CHECKS, codes: CODES, outcomes: OUTCOMES, next: NEXT };

export class Words {
  constructor(language) {
    this.language = language;
  }

  say(table, code) {
    const known = TABLES[table][code];
    return known === undefined ? code : known[LANGUAGES.indexOf(this.language)];
  }

  // What the law's tables call it; a code that is not listed is shown as it is.
  law(table, code) {
    return LAW.words[table][code]?.[this.language] ?? code;
  }

  // A next step; two bear a name: of a platform, of a place to ask.
  next(step) {
    if (this.language === "en") return this.say("next", step);
    const [, origin] = /^Use the trust file of (.*)\.$/.exec(step) ?? [];
    if (origin !== undefined) return `请使用 ${origin} 的信任文件。`;
    const [, place] = /^Get evidence of the bill at (.*) and verify both together\.$/.exec(step) ?? [];
    return place === undefined ? this.say("next", step) : `请从 ${place} 取得提单证据,一并核验。`;
  }

  // A finding in a few words: its own, or those of the refusal whose code it bears.
  finding(code, check) {
    if (`${check}.${code}` in CODES) return this.say("codes", `${check}.${code}`);
    const refusal = LAW.refusals[code];
    if (refusal !== undefined) return this.language === "zh" ? refusal.titleZh : refusal.title;
    return this.say("codes", code);
  }

  verdict(name) {
    return LAW.report.verdicts[name][this.language];
  }

  other(name) {
    return LAW.report.verdicts[name][this.language === "zh" ? "en" : "zh"];
  }
}
