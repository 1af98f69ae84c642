"""The api room through its front door: a real hub over a real lake and catalogue, asked over a real socket."""
