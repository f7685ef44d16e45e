"""What runs inside a jail: the warm process, the judge and the guest. Standard library only.

The host starts this package by itself, as the top-level package `inside`, so that nothing else of
FlowReasoner is loaded, or even visible, where untrusted programs run; hence the relative imports. Only
`wire` is also used by the host.
"""
