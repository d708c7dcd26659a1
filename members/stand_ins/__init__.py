"""Stand-ins of the platforms: programs on this machine that send what the real ones send, signed alike.

They share no code with the connectors they try: each signs by the platform's documentation again.
"""
