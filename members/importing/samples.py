"""Samples: what may be shown of a cell whose meaning nobody has said yet. Pure.

What a column is called says whose data it holds, long before a person says which column is which; long
numbers and mailboxes are masked wherever they stand.
"""

import re
from typing import Final

from members.formats.outcomes import mask as mask_numbers
from privacy import masking

# The first that a header has in it decides how the column is masked.
_KINDS: Final = tuple(
    (re.compile(words), kind)
    for words, kind in (
        ("邮箱|邮件|mail", "email"),
        ("手机|电话|phone|mobile", "phone"),
        ("身份证|identitycard|idcard", "identity"),
        ("生日|出生|birth|dob$", "birthday"),
        ("地址|街道|address|street", "address"),
        ("备注|留言|note|remark|comment|message", "text"),
        ("账号|帐号|账户|支付宝|旺旺|openid|unionid|account|username|userid", "id"),
        (
            "姓名|名字|昵称|会员名|用户名|收货人|收件人|联系人|nick|^name$|"
            "(?:full|first|last|customer|buyer|billing|shipping|contact|receiver|recipient)name",
            "name",
        ),
    )
)


def shown(header: str, value: str) -> str:
    """A cell of the column with this header, masked by what the header says; 40 characters at most."""
    name = re.sub(r"[\s_.-]", "", header).lower()
    kind = next((kind for words, kind in _KINDS if words.search(name)), None)
    return mask_numbers(masking.mask(kind, value) if kind else value)
