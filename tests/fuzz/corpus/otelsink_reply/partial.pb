
	¬late