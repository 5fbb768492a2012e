"""What a teacher says: plan, rendering on several processes, the record of it."""
