"""The outside world of the parking room: network servers' formats and MQTT."""
