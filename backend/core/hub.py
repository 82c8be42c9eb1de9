"""skeleton"""

from __future__ import annotations


class Hub: ...
