"""The channels as we speak to them, each behind ``payments.rules.channels.ChannelAdapter``."""
