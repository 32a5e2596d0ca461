"""Third floor: machines that send us facts and receive ours."""
