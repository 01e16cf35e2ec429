# doctor: what a user runs first says yes
agentsight doctor
