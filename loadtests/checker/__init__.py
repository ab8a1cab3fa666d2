"""The history checker: from what every client saw and what the stores hold, which promises were broken?"""
