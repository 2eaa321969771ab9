"""What brings each code of the catalogue about, and what the transport's codes are in 中文.

Titles and next steps of the law are the law's own (`domain.errors`); their Chinese next steps are
the portal's words, which `bootstrap` hands to the pages. A test holds that no code lacks words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Code: the cause in English and in 中文.
CAUSES: Final[Mapping[str, tuple[str, str]]] = {
    "already_on_board": (
        "An on-board notation was signed for a bill that shows shipment on board, from its issue "
        "or from an earlier notation.",
        "提单自签发时或经先前批注已载明装船，却又签署了装船批注。",
    ),
    "already_registered": (
        "Something that is registered once only was registered again: a slug, a key, an identity, "
        "a carrier code, a terminal's location or a shipment.",
        "只能登记一次的事项被重复登记：简称、密钥、身份、承运人代码、码头地点或货运。",
    ),
    "antedating": (
        "The on-board, received or issue date in the act is not the date that the signed custody "
        "events, or the time of signing, prove.",
        "所填装船、收妥或签发日期与已签署的箱子记录或签署时间不一致。",
    ),
    "bad_chain": (
        "The acts that another platform tells of contradict the law, or what this ledger knows of "
        "the bill.",
        "另一平台所述的行为不合规则，或与本账本所知的提单情况矛盾。",
    ),
    "bad_document": (
        "The uploaded JSON is readable but breaks rules of the transport document; `errors` names "
        "each rule with its place.",
        "上传的 JSON 可以读取，但不符合运输单证的规则；errors 逐条列出规则及其位置。",
    ),
    "bad_event": (
        "The event is not in the form that its action asks for, or it is meant for another "
        "platform, stream or version.",
        "事件不符合该操作的格式，或属于其他平台、其他事件流或其他版本。",
    ),
    "bad_recipient": (
        "The bill was to go to its present holder, to the carrier or to the operator.",
        "提单拟转让给现持有人本人、承运人或平台运营方。",
    ),
    "bad_receiver": (
        "The address of a webhook is not spelled as it must be, or its name leads to an address "
        "that is not of the public internet.",
        "webhook 地址的写法不符合要求，或其域名指向非公网地址。",
    ),
    "bad_request": (
        "The HTTP request itself is broken: an unreadable address, header or body.",
        "HTTP 请求本身有误：地址、报头或正文无法读取。",
    ),
    "bad_signature": (
        "The signature does not fit the bytes and the registered key. Most often the payload was "
        "written again after it had been signed.",
        "签名与内容及登记的密钥不符；最常见的原因是签名之后内容又被重新生成。",
    ),
    "bad_time": (
        "The time in the event lies too far from the moment of recording, or a date does not "
        "exist.",
        "事件所述时间与记录时刻相差过大，或日期不存在。",
    ),
    "bad_transition": (
        "A step of the container's journey is missing before this one, or this one was signed "
        "before.",
        "箱子在此步骤之前缺少一步，或此步骤已签署过。",
    ),
    "busy": (
        "More events wait to be recorded than the platform keeps in memory.",
        "等待记录的事件超过平台的容量。",
    ),
    "consent_missing": (
        "The actor or the recipient has not accepted the version of the rulebook that the bill is "
        "under.",
        "操作人或接收方尚未接受该提单所适用版本的规则。",
    ),
    "customs": (
        "The booking asks for a customs release and none was signed for this container.",
        "订舱要求海关放行，而该箱尚无海关签署的放行。",
    ),
    "do_expired": (
        "The delivery order was presented after the time up to which it holds.",
        "出示提货单时已超过其有效期。",
    ),
    "do_replay": (
        "A gate-out of this container under this order is recorded already.",
        "该箱凭此提货单的出闸已有记录。",
    ),
    "duplicate_cargo": (
        "A live bill of the same voyage names a container that this bill names as well.",
        "同一航次的另一份有效提单已载有本提单上的某个箱子。",
    ),
    "final_endorsement": (
        "The last endorsement was made in full and forbade endorsing on.",
        "最后一次背书为记名背书，并注明不可再背书。",
    ),
    "id_reused": (
        "An event with this id but other content is recorded already.",
        "已有编号相同而内容不同的事件被记录。",
    ),
    "in_transit": (
        "The bill was sent to another platform, whose signed answer has not come in yet.",
        "提单已发往另一平台，对方的签名答复尚未到达。",
    ),
    "inconsistent_checkpoint": (
        "The consistency proof does not lead from the size that was cosigned last to the one "
        "presented.",
        "一致性证明不能从上次联署的规模推导到所呈交的规模。",
    ),
    "internal": (
        "Something happened in the service that nobody foresaw; its log has the details under the "
        "request's id.",
        "服务内部发生未预料的情况；日志中可按请求编号查到细节。",
    ),
    "invalid_query": (
        "A parameter of the address or form is missing, unknown or outside its limits.",
        "地址或表单中的参数缺失、未知或超出范围。",
    ),
    "key_revoked": (
        "The key that signed was revoked, replaced or outside its validity when the act reached "
        "the platform.",
        "操作到达平台时，签名密钥已吊销、已更换或不在有效期内。",
    ),
    "length_required": (
        "The request has a body but no Content-Length header.",
        "请求带有正文，但没有 Content-Length 报头。",
    ),
    "log_not_witnessed": (
        "The checkpoint's origin is not among the logs that this witness was told to watch.",
        "该检查点的来源不在本见证人受托见证的日志之列。",
    ),
    "method_not_allowed": (
        "The address exists, but not for this HTTP method.",
        "地址存在，但不接受此 HTTP 方法。",
    ),
    "moved": (
        "The original was handed over to another platform, which has confirmed that it holds it.",
        "正本已交给另一平台，对方已确认持有。",
    ),
    "no_delivery_order": (
        "The delivery order that was presented is unknown, was cancelled, or a later one has taken "
        "its place.",
        "所出示的提货单不存在、已取消，或已被后来的提货单取代。",
    ),
    "no_mandate": (
        "A forwarder acted on a draft without a mandate of the shipper that holds now.",
        "货代在没有托运人现行有效委托的情况下办理草稿。",
    ),
    "no_surrender": (
        "The bill has not been surrendered for delivery, or the carrier has not accepted the "
        "surrender.",
        "提单尚未交单提货，或承运人尚未接受交单。",
    ),
    "not_acceptable": (
        "The Accept header asks for a form that this address does not have.",
        "Accept 报头要求的格式在此地址不存在。",
    ),
    "not_authenticated": (
        "No access token was sent, it has expired, or the key that it rests on no longer counts.",
        "未携带访问令牌、令牌已过期，或其所依据的密钥已失效。",
    ),
    "not_carrier": (
        "An act that belongs to the carrier of the bill or shipment was signed by somebody else.",
        "应由该提单或货运的承运人作出的操作由他人签署。",
    ),
    "not_custodian": (
        "The booking, or a later appointment, names somebody else for this leg.",
        "订舱或其后的指定将该段交由他人保管。",
    ),
    "not_exchange": (
        "A party signed an act that only the platform itself records, when a bill crosses to or "
        "from another platform.",
        "当事人签署了仅在提单进出其他平台时由平台自行登记的行为。",
    ),
    "not_found": (
        "There is nothing under this name, or the asking party has no part in it; from outside the "
        "two cannot be told apart.",
        "此名称下没有内容，或询问方与其无关；两者从外部无法区分。",
    ),
    "not_in_log": (
        "A checkpoint, tile, entry or proof was asked for that the log does not hold, or not yet, "
        "or its path is spelled in another way than C2SP tlog-tiles spells it.",
        "所请求的检查点、分片、条目或证明不在日志中或尚未写入，或路径写法不合 C2SP tlog-tiles。",
    ),
    "not_holder": (
        "An act of control was signed by a party that does not possess the bill now.",
        "控制权操作由目前不占有提单的一方签署。",
    ),
    "not_loaded": (
        "For at least one container of the bill no loading on the named vessel and voyage is "
        "signed.",
        "提单中至少有一个箱子没有装上所述船名航次的签署记录。",
    ),
    "not_on_bill": (
        "The container does not stand on the booking, bill or delivery order that the act names.",
        "该箱不在操作所指的订舱、提单或提货单上。",
    ),
    "not_operator": (
        "Registering, suspending or reinstating was signed by somebody else than the operator.",
        "登记、暂停或恢复当事人的操作并非由运营方签署。",
    ),
    "not_pending": (
        "The carrier answered a surrender that nobody has requested, or that has its answer.",
        "承运人答复了无人提出或已答复过的交单。",
    ),
    "not_refusable": (
        "Nothing was received that could be refused, or the receiver has since signed on the bill.",
        "没有可拒收的转让，或接收方此后已在提单上签署。",
    ),
    "not_signed_by_log": (
        "No signature on the checkpoint is by a key that this witness knows for its origin.",
        "检查点上没有本见证人所知该来源密钥的签名。",
    ),
    "not_supported": (
        "The act is known to the standard but not yet done by this platform.",
        "该操作为标准所知，但本平台尚未实现。",
    ),
    "not_title_holder": (
        "The bill is to the order of a party other than the one that acts.",
        "提单的指示人并非操作人。",
    ),
    "number_used": (
        "A live bill of this carrier bears the number, or covers the shipment, already.",
        "该承运人已有一份有效提单使用此号码或涵盖该货运。",
    ),
    "pending_surrender": (
        "A surrender was requested and the carrier has yet to accept or reject it.",
        "已提出交单，承运人尚未接受或拒绝。",
    ),
    "personal_data": (
        "The free text of the uploaded document holds what looks like a telephone number, an "
        "address or an identity number, and this platform takes none.",
        "上传单据的自由文本中含有疑似电话号码、邮箱或证件号码，而本平台不接受此类内容。",
    ),
    "recipient_unavailable": (
        "The named recipient is not registered on this platform, or is suspended.",
        "所指接收方未在本平台登记，或已被暂停。",
    ),
    "stale_draft": (
        "The act names an earlier version of the draft, or other content than the latest version "
        "has.",
        "操作所指的草稿版本较旧，或内容与最新版本不同。",
    ),
    "stale_head": (
        "Between reading and signing, somebody else acted on the same stream.",
        "在读取与签署之间，他人已在同一事件流上操作。",
    ),
    "suspended": (
        "The operator has suspended the party that signed.",
        "签署方已被运营方暂停。",
    ),
    "terminal_state": (
        "The bill is accomplished or voided.",
        "提单已完结或已作废。",
    ),
    "too_large": (
        "The body of the request is larger than the platform takes.",
        "请求正文超过平台允许的大小。",
    ),
    "too_many_requests": (
        "The party has asked for more access tokens, or the address for more tokens or files to be "
        "verified, than the platform gives in that time.",
        "该当事人索取的访问令牌，或该地址索取令牌、验证文件的次数，在此时间内超过平台所允许的数量。",
    ),
    "too_many_webhooks": (
        "The party has five webhooks and asked for another one.",
        "该当事人已有五个 webhook，又请求再加一个。",
    ),
    "unavailable": (
        "The platform runs, but its database cannot be reached at the moment.",
        "平台在运行，但目前无法连接数据库。",
    ),
    "uncertain": (
        "The connection to the database broke while the event was being recorded.",
        "记录事件时与数据库的连接中断。",
    ),
    "unknown_peer": (
        "The recipient is named with a platform that this one exchanges no originals with.",
        "所填接收方属于未与本平台交换正本的平台。",
    ),
    "unsupported_media_type": (
        "The Content-Type header is missing or names another type than this address takes.",
        "缺少 Content-Type 报头，或其类型不为此地址所接受。",
    ),
    "webhook_exists": (
        "A webhook of the same party to the same address is there, perhaps of a request whose "
        "answer was lost.",
        "同一当事人发往同一地址的 webhook 已存在，可能来自答复丢失的请求。",
    ),
    "not_reached": (
        "The actor has not applied for its registration through the platform that relays for it, "
        "or the operator there has not registered it yet.",
        "操作人未经转交平台申请登记，或对方运营方尚未予以登记。",
    ),
    "peer_unreachable": (
        "The platform of issue is down, cut off, or slower than the deadline of the request.",
        "签发平台停机、断线，或答复超过请求的时限。",
    ),
    "stale_evidence": (
        "The platform of issue states a moment too long ago, or the clocks differ.",
        "签发平台所述时刻过早，或两平台时钟不一致。",
    ),
    "bad_evidence": (
        "A signature, proof or reader of the evidence is not right, or the log has forked.",
        "证据的签名、证明或阅读人不符，或其日志已分叉。",
    ),
    "old_evidence": (
        "Evidence of the same bill overtook this one on its way.",
        "同一提单较新的证据已先行到达。",
    ),
    "webhooks_off": (
        "The operator has set no key with which messages to webhooks would be signed.",
        "运营方未设置用于签署 webhook 消息的密钥。",
    ),
    "wrong_bill_type": (
        "The act does not exist for a straight, to-order or blank bill, whichever this one is.",
        "该操作不适用于此类提单（记名、指示或不记名）。",
    ),
    "wrong_code": (
        "The code that was given at the gate is not the one that the order was made with.",
        "闸口所给的提货码不是签发该提货单时的提货码。",
    ),
    "wrong_key": (
        "The event names one party as its actor and is signed with a key of another.",
        "事件所称的操作人与签名密钥所属的当事人不同。",
    ),
    "wrong_pick_up": (
        "The person or vehicle at the gate is not the collector that the delivery order names.",
        "到场的提货人或车辆不是提货单所指明的提货人。",
    ),
}

# Codes of the transport, of witnessing, webhooks, deliveries abroad: title and next step in 中文.
CHINESE: Final[Mapping[str, tuple[str, str]]] = {
    "not_reached": (
        "当事人未经该平台登记",
        "请在另一平台申请登记，或以您在该平台的名称操作。",
    ),
    "peer_unreachable": ("另一平台未答复", "请重发相同字节；未获答复前不得放货。"),
    "stale_evidence": (
        "另一平台的证据过旧",
        "请再次查询；若仍如此，请运营方核对两平台的时钟。",
    ),
    "bad_evidence": (
        "另一平台的证据不能证明任何事项",
        "请勿依赖该证据并告知运营方；须由另一平台说明。",
    ),
    "old_evidence": ("已存有较新的证据", "无须处理；保留较新者。"),
    "bad_receiver": ("不向此地址发送", "请给出使用公开域名的 https 地址；detail 指出错误所在。"),
    "webhook_exists": (
        "已有发往此地址的 webhook",
        "请使用 GET /v1/webhooks 所列的那一个，或先将其删除。",
    ),
    "too_many_webhooks": ("webhook 数量已达上限", "请删除 GET /v1/webhooks 所列之一。"),
    "webhooks_off": (
        "本平台不发送 webhook",
        "请改读 GET /v1/notices，或请运营方设置 BOL_WEBHOOK_KEY。",
    ),
    "bad_request": ("请求格式错误", "请改正请求；detail 指出错误所在。"),
    "not_authenticated": ("身份未证明", "请用密钥签署的客户端断言取得访问令牌。"),
    "not_in_log": (
        "公开日志中没有此内容",
        "请从 /ledger/checkpoint 取得日志的规模，再请求其范围之内的内容。",
    ),
    "method_not_allowed": ("此处没有该方法", "请使用 Allow 报头所列的方法。"),
    "not_acceptable": ("没有所要求的格式", "请要求 application/json。"),
    "length_required": ("正文长度未知", "请发送 Content-Length 报头；分块正文不予接受。"),
    "too_large": (
        "正文过大",
        "请减少内容；一份单据最多 1,000,000 字节，其披露文件及附带文件各最多 4,000,000 字节。",
    ),
    "unsupported_media_type": ("正文类型不符", "请按接口说明设置 Content-Type。"),
    "invalid_query": ("参数不可接受", "请改正 detail 所指的参数。"),
    "bad_document": ("单据不符合标准规则", "请改正 errors 所指的每一项后重新上传。"),
    "too_many_requests": (
        "请求过于频繁",
        "请在 Retry-After 所示秒数后再来；令牌在到期前可一直使用。",
    ),
    "busy": ("等待的事件过多", "请在 Retry-After 所示秒数后重发相同字节。"),
    "internal": ("服务出错", "请重发相同字节；若仍失败，请将 requestId 告知运营方。"),
    "unavailable": ("数据库无响应", "请在 Retry-After 所示秒数后重试；此请求未留下任何内容。"),
    "uncertain": (
        "不确定事件是否已记录",
        "请重发相同字节：若已记录则得到回执，否则现在记录。",
    ),
    "log_not_witnessed": ("此处不见证该日志", "请本见证人的运营者加入该日志的密钥。"),
    "not_signed_by_log": (
        "检查点未经其日志签名",
        "请用本见证人所知该来源的密钥签署检查点。",
    ),
    "inconsistent_checkpoint": (
        "检查点与已联署者不衔接",
        "请证明与上次联署规模的一致性；无法证明的日志已分叉。",
    ),
}
