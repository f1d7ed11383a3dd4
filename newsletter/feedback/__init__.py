"""What comes back: bounces, complaints and automatic replies, by mail or webhook, told as signals."""
