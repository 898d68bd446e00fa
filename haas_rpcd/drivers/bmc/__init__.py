"""Sessions with BMCs: by IPMI (:mod:`.ipmi`) and by Redfish (:mod:`.redfish`)."""
